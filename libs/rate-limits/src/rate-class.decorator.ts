import { SetMetadata } from '@nestjs/common';

/** What a route costs: `login` and `hash` stand for a password hash, tried or made. */
export type RateClassName = 'login' | 'hash' | 'write';

export const rateClass = 'gatehouse:rate-class';

/** Counts a route against the limits of a class. */
export const RateClass = (name: RateClassName): MethodDecorator => SetMetadata(rateClass, name);
