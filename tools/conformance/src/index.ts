export { main } from './cli.js';
export { Report, type Failure } from './report.js';
export { runFiles } from './run.js';
