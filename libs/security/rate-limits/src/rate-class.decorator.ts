import { SetMetadata } from '@nestjs/common';

import type { RateClassName } from '#libs/platform/access';

export const rateClass = 'gatehouse:rate-class';

/**
 * Counts a route against the limits of these classes; without it GET and HEAD are `read`, and all else is `write`. What
 * comes as a form with a file counts as `upload` too, wherever it is taken.
 */
export const RateClass = (...names: readonly RateClassName[]): MethodDecorator => SetMetadata(rateClass, names);
