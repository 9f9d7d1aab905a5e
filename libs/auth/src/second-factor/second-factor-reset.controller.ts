import { Controller, Delete, HttpCode, Param } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';

import { FreshAuthentication, type RequestSource, Requires, Source } from '#libs/platform/access';
import { ApiProblems } from '#libs/platform/http';
import { userIdSchema } from '#libs/users';

import { SecondFactorResetService } from './second-factor-reset.service.js';

/** Under the path of users; the route belongs to the second factor. */
@ApiTags('second-factor')
@Controller('v1/users/:id/second-factor')
export class SecondFactorResetController {
  constructor(private readonly resets: SecondFactorResetService) {}

  @Delete()
  @HttpCode(204)
  @Requires({ roles: ['admin'] })
  @FreshAuthentication()
  @ApiOperation({
    operationId: 'resetSecondFactor',
    summary: 'Take the second factor from a user who has lost it',
    description: 'The user is told by mail. Sessions go on, and failed logins delay the next one as before.',
  })
  @ApiResponse({ status: 204, description: 'The next login needs the password alone' })
  @ApiProblems('invalid-request', 'fresh-authentication-required', 'user-not-found', 'second-factor-not-found')
  async reset(@Param('id', { schema: userIdSchema }) id: string, @Source() source: RequestSource): Promise<void> {
    await this.resets.reset(id, source);
  }
}
