import { Global, Module } from '@nestjs/common';

import { AuditModule } from '#libs/audit';
import { ServiceVerifier } from '#libs/platform/access';

import { ServiceRegistry } from './service-registry.js';
import { ServicesController } from './services.controller.js';
import { ServicesService } from './services.service.js';

/** Global, so that the guard and auth can ask for the `ServiceVerifier` without knowing who answers. */
@Global()
@Module({
  imports: [AuditModule],
  controllers: [ServicesController],
  providers: [ServiceRegistry, { provide: ServiceVerifier, useExisting: ServiceRegistry }, ServicesService],
  exports: [ServiceVerifier],
})
export class ServicesModule {}
