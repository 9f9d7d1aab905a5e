import { Module } from '@nestjs/common';

import { NewPassword } from './new-password.service.js';
import { PasswordHasher } from './password-hasher.js';
import { PasswordPolicy } from './password-policy.js';

@Module({
  providers: [NewPassword, PasswordHasher, PasswordPolicy],
  exports: [NewPassword, PasswordHasher, PasswordPolicy],
})
export class PasswordsModule {}
