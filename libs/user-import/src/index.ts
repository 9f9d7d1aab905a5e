export { BulkExportService, type ExportOptions } from './export/bulk-export.service.js';
export type { ImportSummary, RowResult } from './import/import-run.js';
export type { Bytes, SourceRows } from './import/prepare-row.js';
export { type ColumnMap, readCsv } from './import/read-csv.js';
export { readNdjson } from './import/read-ndjson.js';
export { UserImportService } from './import/user-import.service.js';
export { UserImportModule } from './user-import.module.js';
