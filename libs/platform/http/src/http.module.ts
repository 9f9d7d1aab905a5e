import { Global, Module } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';

import { Draining } from './server/draining.js';
import { ProblemFilter } from './problems/problem.filter.js';
import { StrictValidationPipe } from './problems/strict-validation.pipe.js';

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
