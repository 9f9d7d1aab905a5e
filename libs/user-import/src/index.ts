export { type ExportOptions, RowExport } from './export/row-export.service.js';
export type { ImportSummary, RowResult } from './import/import-result.js';
export { type ColumnMap, readCsv } from './import/read-csv.js';
export { readNdjson } from './import/read-ndjson.js';
export type { Bytes, SourceRows } from './import/source-row.js';
export { TransferModule } from './transfer.module.js';
export { UserImport } from './import/user-import.service.js';
