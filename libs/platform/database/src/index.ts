export { Changes, type Subscriber } from './changes.js';
export { DatabaseModule, type DatabaseSchema } from './database.module.js';
export { isUnavailable, violatedConstraint } from './database-errors.js';
export { DataDirInUseError } from './lock-folder.js';
export { migrate } from './migrate.js';
export { openDatabase } from './open-database.js';
export { Sql, type Statement } from './sql.js';
export { Sweeper } from './sweeper.js';
