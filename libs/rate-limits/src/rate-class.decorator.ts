import { SetMetadata } from '@nestjs/common';

import type { RateClassName } from '#libs/platform/access';

export const rateClass = 'gatehouse:rate-class';

/** Counts a route against the limits of a class; without it GET and HEAD are `read`, and all else is `write`. */
export const RateClass = (name: RateClassName): MethodDecorator => SetMetadata(rateClass, name);
