export { CallerPlaces } from './caller-places.js';
export { TurnBatch } from './turn-batch.js';
export { Turns } from './turns.js';
export { usableCores } from './usable-cores.js';
export { overloaded, type Wait, WorkQueue } from './work-queue.js';
