import { hash } from 'node:crypto';

/**
 * What stands for the id of an erased user in the row that proves the erasure. A UUIDv7 tells to the millisecond when its
 * user was made, which would lead from the proof to the rows under the pseudonym. Who knows the id finds the row; its 74
 * random bits cannot be guessed from here. The form is that of UUIDv8 (RFC 9562 §5.8).
 */
export function erasedIdOf(userId: string): string {
  const hex = hash('sha256', `gatehouse:erased:${userId.toLowerCase()}`);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-9${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
