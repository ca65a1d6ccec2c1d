export interface Column {
  readonly title: string;
  /** Numbers stand right. */
  readonly right?: boolean;
}

/** A table of text: columns as wide as their widest cell, two spaces apart, no trailing spaces. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const clean = rows.map((row) => columns.map((_, place) => printable(row[place] ?? '')));
  const widths = columns.map(({ title }, place) => Math.max(title.length, ...clean.map((row) => width(row[place]))));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, place) => {
        const padding = ' '.repeat(Math.max(0, (widths[place] ?? 0) - width(cell)));
        return columns[place]?.right === true ? padding + cell : cell + padding;
      })
      .join('  ')
      .trimEnd();
  return [line(columns.map(({ title }) => title)), ...clean.map(line)].join('\n');
}

/** Names come from .torrent files of strangers: control characters must not reach a terminal. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}

function width(text: string | undefined): number {
  return text === undefined ? 0 : [...text].length;
}

/** Lines of "name: value", the values in one column. */
export function fields(pairs: readonly (readonly [string, string])[]): string {
  const widest = Math.max(0, ...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${`${name}:`.padEnd(widest + 2)}${printable(value)}`.trimEnd()).join('\n');
}
