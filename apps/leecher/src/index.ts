export { parseArguments, type Arguments } from './cli/arguments.js';
export { manualPage } from './cli/manual.js';
