/** A vector that does not have the expected form; the message says where. */
export class VectorError extends Error {}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Checked access to one JSON object of a vector file. Integers are accepted as decimal strings and as safe JSON numbers,
 * bytes as hex of either case; everything else is a {@link VectorError} that names the path.
 */
export class Fields {
  readonly #record: Readonly<Record<string, unknown>>;

  constructor(
    value: unknown,
    readonly path: string,
  ) {
    if (!isRecord(value)) throw new VectorError(`${path} is not an object`);
    this.#record = value;
  }

  get keys(): readonly string[] {
    return Object.keys(this.#record);
  }

  /** Present, and neither null nor undefined. */
  has(key: string): boolean {
    return this.#record[key] !== undefined && this.#record[key] !== null;
  }

  raw(key: string): unknown {
    return this.#record[key];
  }

  text(key: string): string {
    const value = this.#record[key];
    if (typeof value !== 'string') throw this.#wrong(key, 'text');
    return value;
  }

  textOr(key: string, fallback: string): string {
    return this.has(key) ? this.text(key) : fallback;
  }

  flag(key: string): boolean {
    const value = this.#record[key];
    if (typeof value !== 'boolean') throw this.#wrong(key, 'true or false');
    return value;
  }

  flagOr(key: string, fallback: boolean): boolean {
    return this.has(key) ? this.flag(key) : fallback;
  }

  integer(key: string): bigint {
    const value = this.#record[key];
    if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
    if (typeof value === 'string' && /^-?[0-9]+$/.test(value)) return BigInt(value);
    throw this.#wrong(key, 'an integer');
  }

  number(key: string): number {
    const value = this.integer(key);
    if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < -BigInt(Number.MAX_SAFE_INTEGER)) {
      throw this.#wrong(key, 'an integer within 53 bits');
    }
    return Number(value);
  }

  bytes(key: string): Uint8Array {
    return hexBytes(this.text(key), `${this.path}.${key}`);
  }

  fields(key: string): Fields {
    return new Fields(this.#record[key], `${this.path}.${key}`);
  }

  /** The items of a list of objects; an absent list is empty. */
  list(key: string): Fields[] {
    return this.values(key).map((item, at) => new Fields(item, `${this.path}.${key}[${at}]`));
  }

  /** The items of any list; an absent list is empty. */
  values(key: string): readonly unknown[] {
    if (!this.has(key)) return [];
    const value = this.#record[key];
    if (!Array.isArray(value)) throw this.#wrong(key, 'a list');
    return value as readonly unknown[];
  }

  #wrong(key: string, wanted: string): VectorError {
    const value = JSON.stringify(this.#record[key])?.slice(0, 80) ?? 'missing';
    return new VectorError(`${this.path}.${key} is not ${wanted}: ${value}`);
  }
}

/** Bytes from hex. @throws VectorError on anything else. */
export const hexBytes = (text: string, path: string): Uint8Array => {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) {
    throw new VectorError(`${path} is not hex: ${text.slice(0, 80)}`);
  }
  return Uint8Array.from(Buffer.from(text, 'hex'));
};
