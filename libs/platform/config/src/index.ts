export { type Config, CONFIG } from './config.schema.js';
export { ConfigError, loadConfig } from './load-config.js';
export { findMisspelt } from './find-misspelt.js';
export { ConfigModule } from './config.module.js';
