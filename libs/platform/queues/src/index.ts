export { CallerPlaces } from './caller-places.js';
export { Turns } from './turns.js';
export { LoopRest } from './loop-rest.js';
export { MachineSlots } from './machine-slots.js';
export { overloaded, type Wait, WorkQueue } from './work-queue.js';
export { TurnBatch } from './turn-batch.js';
