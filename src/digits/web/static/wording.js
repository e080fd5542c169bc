// Results in words, as on the command line (digits/_io/text.py and digits/reports/wording.py).

// A probability as a percentage with one decimal; it never reads 100% or 0%.
export function percent(probability) {
  if (probability >= 0.9995) return ">99.9%";
  if (probability < 0.0005) return "<0.1%";
  const value = 100 * probability;
  // Python rounds a tie to the even digit, toFixed to the larger one. Only x.25 and x.75 are ties
  // in binary, and of these only x.25 comes out differently.
  return `${(value % 1 === 0.25 ? value - 0.05 : value).toFixed(1)}%`;
}

export function describe({ digit, confidence, probabilities, reason }) {
  switch (reason) {
    case undefined: return `${digit} (${percent(confidence)})`;
    case "no_ink": return "no ink found";
    case "no_digit": return "no digit";
    case "several": return "several digits";
    case "unsure": {
      const [first, second] = [...probabilities.keys()]
        .sort((a, b) => probabilities[b] - probabilities[a]);
      return `not sure: ${first} or ${second}`;
    }
    default: return reason;
  }
}

export const capitalized = (text) => text[0].toUpperCase() + text.slice(1);
