// Swagger UI, which comes with the package fastapi-offline.

window.SwaggerUIBundle({ url: "/openapi.json", dom_id: "#docs" });
