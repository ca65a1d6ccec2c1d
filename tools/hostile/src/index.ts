export { main } from './hostile.js';
export { runSuite, type SuiteOptions, type Verdict } from './suite.js';
export { bringTarget } from './world/own-fleet.js';
export type { Target } from './world/target.js';
