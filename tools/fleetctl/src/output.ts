import type { Json } from './api-client.js';
import { type Failure } from './failure.js';
import { printable } from './table.js';

/** Where results and notes go: results to standard output, everything else to standard error. */
export interface Output {
  /** The result, as JSON or as text, whichever was asked for. */
  result(json: Json, text: () => string): void;
  /** One of many results that come by and by: a line each. */
  line(json: Json, text: () => string): void;
  note(line: string): void;
  failure(failure: Failure): void;
}

export function createOutput(asJson: boolean): Output {
  return {
    result: (json, text) => {
      process.stdout.write(`${asJson ? JSON.stringify(json, null, 2) : text()}\n`);
    },
    line: (json, text) => {
      process.stdout.write(`${asJson ? JSON.stringify(json) : printable(text())}\n`);
    },
    note: (line) => {
      process.stderr.write(`${line}\n`);
    },
    failure: (failure) => {
      const { code, message, apiCode } = failure;
      process.stderr.write(`fleetctl: ${message}${apiCode === undefined ? '' : ` (${apiCode})`}\n`);
      if (asJson)
        process.stdout.write(`${JSON.stringify({ error: { code: apiCode ?? code, detail: message } }, null, 2)}\n`);
    },
  };
}
