export { CommandError, ExitCode } from './exit-codes.js';
export { parseArguments, type Arguments } from './cli/arguments.js';
