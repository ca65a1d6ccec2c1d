export { MarketApiModule } from './market-api.module.js';
export { configureHttp } from './http/configure.js';
