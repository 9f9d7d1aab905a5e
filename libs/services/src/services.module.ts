import { Global, Module } from '@nestjs/common';

import { AuditModule } from '#libs/security/audit';
import { ServiceDirectory, ServiceVerifier } from '#libs/platform/access';
import { ServiceUsageLog } from '#libs/security/rate-limits';
import { RevocationModule } from '#libs/security/revocation';

import { ServiceRegistry } from './service-registry.js';
import { ServiceUsageRepository } from './service-usage.repository.js';
import { ServiceUsageService } from './service-usage.service.js';
import { ServicesController } from './services.controller.js';
import { ServicesRepository } from './services.repository.js';
import { ServicesService } from './services.service.js';

/**
 * Global, so that guards can inject `ServiceVerifier`, `ServiceDirectory` and `ServiceUsageLog` by
 * these names.
 */
@Global()
@Module({
  imports: [AuditModule, RevocationModule],
  controllers: [ServicesController],
  providers: [
    ServicesRepository,
    ServiceUsageRepository,
    ServiceRegistry,
    { provide: ServiceVerifier, useExisting: ServiceRegistry },
    { provide: ServiceDirectory, useExisting: ServiceRegistry },
    ServiceUsageService,
    { provide: ServiceUsageLog, useExisting: ServiceUsageService },
    ServicesService,
  ],
  exports: [ServiceDirectory, ServiceUsageLog, ServiceVerifier, ServicesService],
})
export class ServicesModule {}
