import { z } from 'zod';

/** Keys whose numbers are neighbours share a word of this many bits. */
const BITS = 256;
const BYTES = BITS / 8;

/** How a set is written: epoch, number of the word, its bits in hex. */
export const keyWords = z.array(
  z.tuple([
    z.int().min(0),
    z.int().min(0),
    z
      .string()
      .length(2 * BYTES)
      .regex(/^[0-9a-f]+$/),
  ]),
);

/** Contract key paths (`epoch/index`), a bit each: millions of them take no room. */
export class KeySet {
  private readonly words = new Map<string, Uint8Array>();

  static of(words: z.output<typeof keyWords>): KeySet {
    const set = new KeySet();
    for (const [epoch, word, bits] of words) set.words.set(`${epoch}/${word}`, Buffer.from(bits, 'hex'));
    return set;
  }

  add(path: string): void {
    const { name, byte, bit } = placeOf(path);
    const word = this.words.get(name) ?? new Uint8Array(BYTES);
    word[byte] = (word[byte] ?? 0) | bit;
    this.words.set(name, word);
  }

  has(path: string): boolean {
    const { name, byte, bit } = placeOf(path);
    return ((this.words.get(name)?.[byte] ?? 0) & bit) !== 0;
  }

  /** In an order that depends on what is in it alone. */
  written(): z.output<typeof keyWords> {
    return [...this.words]
      .map(([name, bits]): [number, number, string] => {
        const [epoch = '', word = ''] = name.split('/');
        return [Number(epoch), Number(word), Buffer.from(bits).toString('hex')];
      })
      .sort(([epoch, word], [otherEpoch, otherWord]) => epoch - otherEpoch || word - otherWord);
  }
}

function placeOf(path: string): { readonly name: string; readonly byte: number; readonly bit: number } {
  const [epoch = '', index = ''] = path.split('/');
  const word = Math.floor(Number(index) / BITS);
  const at = Number(index) % BITS;
  return { name: `${epoch}/${word}`, byte: at >> 3, bit: 1 << (at & 7) };
}
