import type { Principal, Scope } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';

/*
 * Who may do what with messages.
 */

/**
 * A URL opens its message for everybody. A service that sends its key needs a scope, too; it is
 * refused before the look-up, so that the refusal tells nothing of the message.
 * @throws AppError `forbidden`
 */
export function assertMayRead(caller: Principal, ...others: readonly Scope[]): void {
  if (caller.kind !== 'service') return;
  if (![...others, 'messages:read' as const].some((scope) => caller.scopes.includes(scope))) {
    throw new AppError('forbidden');
  }
}

/** The user as a reader. A service acts for a user when it sends that user's token, too. */
export const readerIdOf = (caller: Principal): string | null => (caller.kind === 'user' ? caller.userId : null);

/** The sender of a message. A service with a user's token sends in the user's name. */
export function senderOf(caller: Principal): { sender: string; senderId: string | null } {
  if (caller.kind === 'user') return { sender: userSender(caller.userId), senderId: caller.userId };
  if (caller.kind === 'service') return { sender: `service:${caller.name}`, senderId: null };
  throw new AppError('authentication-required');
}

export const userSender = (userId: string): string => `user:${userId}`;
