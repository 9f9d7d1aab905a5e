// The published types know neither `KeyObject` (which jsonwebtoken takes, and verifies with in half
// the time of a PEM string) nor any request but Express's.
declare module 'passport-jwt' {
  import type { KeyObject } from 'node:crypto';

  type Request = { readonly token: string; readonly key: KeyObject };

  export type StrategyOptions = {
    readonly jwtFromRequest: (request: Request) => string | null;
    readonly secretOrKeyProvider: (
      request: Request,
      token: string,
      done: (error: unknown, key?: KeyObject) => void,
    ) => void;
    readonly passReqToCallback: true;
    readonly ignoreExpiration: true;
    readonly jsonWebTokenOptions: { readonly ignoreNotBefore: true };
    readonly algorithms: readonly string[];
  };

  export class Strategy {
    constructor(options: StrategyOptions, verify?: unknown);
    authenticate(request: Request): void;
  }
}
