import { toHex } from '@seedfleet/payment-channel';

type Comparable = string | number | bigint | boolean | Uint8Array | undefined;

const MAX_SHOWN_CHARS = 400;

const shown = (value: Comparable): string => {
  const text = value instanceof Uint8Array ? toHex(value) : String(value);
  return text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}… (${text.length} characters)` : text;
};

/** Collects differences; reads as `diff.same('txid', expected, actual)`. */
export class Differences {
  readonly found: string[] = [];

  same(what: string, expected: Comparable, actual: Comparable): boolean {
    const [wanted, got] = [shown(expected), shown(actual)];
    const equal =
      expected instanceof Uint8Array || actual instanceof Uint8Array
        ? full(expected) === full(actual)
        : expected === actual;
    if (!equal) this.found.push(`${what}: expected ${wanted}, got ${got}`);
    return equal;
  }

  note(difference: string): void {
    this.found.push(difference);
  }
}

const full = (value: Comparable): string => (value instanceof Uint8Array ? toHex(value) : String(value));
