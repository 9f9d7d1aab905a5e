export { toRfc3339 } from './rfc3339.js';
