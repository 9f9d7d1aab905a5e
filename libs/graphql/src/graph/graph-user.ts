import { etagOf } from '#libs/platform/http';
import type { UserView, VersionedUser } from '#libs/users';

/** A user as the graph shows it: headers of REST are fields here. */
export type GraphUser = UserView & { readonly etag: string };

export const withEtag = (user: UserView, version: number): GraphUser => ({ ...user, etag: etagOf(version) });

export const toGraphUser = ({ user, version }: VersionedUser): GraphUser => withEtag(user, version);
