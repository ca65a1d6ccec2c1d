export { runFleetctl } from './fleetctl.js';
