import type { Principal, Scope } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';

/** Who may do what with messages: the one place that says so. */

/**
 * A URL opens its message to whoever has it, but a service that shows its key shows that it may. It is refused before the
 * message is looked for, so that the refusal tells nothing of it.
 * @throws AppError `forbidden`
 */
export function assertMayRead(caller: Principal, ...others: readonly Scope[]): void {
  if (caller.kind !== 'service') return;
  if (![...others, 'messages:read' as const].some((scope) => caller.scopes.includes(scope))) {
    throw new AppError('forbidden');
  }
}

/** The user that a message may be for. A service is never one, unless it brings that user's token beside its key. */
export const readerIdOf = (caller: Principal): string | null => (caller.kind === 'user' ? caller.userId : null);

/** Whom a message is from. A service with a user's token sends in the user's name. */
export function senderOf(caller: Principal): { sender: string; senderId: string | null } {
  if (caller.kind === 'user') return { sender: userSender(caller.userId), senderId: caller.userId };
  if (caller.kind === 'service') return { sender: `service:${caller.name}`, senderId: null };
  throw new AppError('authentication-required');
}

export const userSender = (userId: string): string => `user:${userId}`;
