import type { Fields } from '../input/fields.js';
import type { Report } from '../report.js';
export const runTranscript = (
  _lines: readonly Fields[],
  _logs: readonly (readonly Fields[])[],
  _report: Report,
  _file: string,
): void => undefined;
