import type { avatarSizes } from '#libs/users';

/** Edge in pixels. */
export type AvatarSize = (typeof avatarSizes)[number];

/** The files of one avatar, by size; `hash` is the SHA-256 over all of them, smallest first. */
export type Pictures = { readonly hash: Buffer; readonly files: ReadonlyMap<AvatarSize, Buffer> };
