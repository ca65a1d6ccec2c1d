export { parseArguments, type Arguments } from './cli/arguments.js';
