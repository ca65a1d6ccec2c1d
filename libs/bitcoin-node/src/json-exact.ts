/**
 * JSON as Bitcoin nodes write it: amounts are bare decimals of bitcoin (`0.29000000`), which a binary float can't hold.
 * Numbers with a fraction, an exponent or more digits than a safe integer are handed on as strings of their source
 * text; all other values parse as usual. Node 20's JSON.parse gives a reviver no source text, hence the scan.
 */

const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const LONGEST_SAFE_INTEGER = 15;

/**
 * Parses JSON, keeping inexact numbers as strings of their source text.
 * @throws SyntaxError if the text is not JSON.
 */
export function parseJsonExact(text: string): unknown {
  return JSON.parse(quoteInexactNumbers(text));
}

function quoteInexactNumbers(text: string): string {
  const parts: string[] = [];
  let at = 0;
  for (;;) {
    const open = text.indexOf('"', at);
    parts.push(quoteIn(open < 0 ? text.slice(at) : text.slice(at, open)));
    if (open < 0) return parts.join('');
    const end = stringEnd(text, open);
    parts.push(text.slice(open, end));
    at = end;
  }
}

/** Index just behind the string that opens at `open`; the end of the text if it never closes. */
function stringEnd(text: string, open: number): number {
  let at = open + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return text.length;
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === 0x5c) backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
    at = quote + 1;
  }
}

function quoteIn(outsideStrings: string): string {
  return outsideStrings.replace(NUMBER, (source) =>
    /[.eE]/.test(source) || source.length > LONGEST_SAFE_INTEGER ? `"${source}"` : source,
  );
}
