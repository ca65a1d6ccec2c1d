import type { ApiClient } from './api-client.js';
import type { OptionValues } from './arguments.js';
import type { Output } from './output.js';

/** What a command works with. */
export interface Context {
  readonly api: ApiClient;
  readonly options: OptionValues;
  /** Words after the command's own. */
  readonly operands: readonly string[];
  readonly output: Output;
}

export type Command = (context: Context) => Promise<void>;
