// Swagger UI, which is installed with the package fastapi-offline, on our own description.

window.SwaggerUIBundle({ url: "/openapi.json", dom_id: "#docs" });
