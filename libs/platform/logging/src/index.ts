export { createLogger, droppedLines, type Log } from './create-logger.js';
export { NestLogger } from './nest-logger.js';
