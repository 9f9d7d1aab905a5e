import { Global, Module } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';

import { Draining } from './draining.js';
import { ProblemFilter } from './problem.filter.js';
import { StrictValidationPipe } from './strict-validation.pipe.js';

/** One pipe that checks what routes declare, one filter that answers every failure. */
@Global()
@Module({
  providers: [
    Draining,
    { provide: APP_FILTER, useClass: ProblemFilter },
    { provide: APP_PIPE, useClass: StrictValidationPipe },
  ],
  exports: [Draining],
})
export class HttpModule {}
