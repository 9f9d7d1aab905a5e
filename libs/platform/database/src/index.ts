export { Changes, type Subscriber } from './changes.js';
export { DatabaseModule, type DatabaseSchema } from './database.module.js';
export { isUnavailable, isUniqueViolation, violatedConstraint } from './database-errors.js';
export { DataDirInUseError } from './lock-folder.js';
export { migrate } from './migrate.js';
export { openDatabase } from './open-database.js';
export { type Avoid, Sql, type Statement } from './sql.js';
export { epochMs, rfc3339 } from './sql-times.js';
export { Sweeper } from './sweeper.js';
