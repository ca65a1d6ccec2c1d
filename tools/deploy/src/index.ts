export { main } from './main.js';
export { projectFile, readYamlDocuments } from './files.js';
export { monitoringFaults } from './monitoring/monitoring-faults.js';
export { promtool, type ToolResult } from './monitoring/promtool.js';
export { testedAlerts } from './monitoring/rules.js';
