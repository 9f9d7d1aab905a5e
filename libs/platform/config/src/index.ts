export { type Config, CONFIG, isEmbedded } from './config.schema.js';
export { type DatabaseHost, type DatabaseTarget, parseDatabaseUrl, type TlsMode } from './database-url.js';
export { ConfigError, loadConfig, readSecretFile } from './load-config.js';
export { redisUrls } from './setting-schemas.js';
export { findMisspelt } from './find-misspelt.js';
export { ConfigModule } from './config.module.js';
