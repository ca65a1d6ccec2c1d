export { projectFile, readYamlDocuments } from './files.js';
