export { ServiceEntity } from './service.entity.js';
export { ServiceUsageEntity } from './service-usage.entity.js';
export { createServiceSchema, patchServiceSchema, type ServiceView } from './services.schema.js';
export { ServicesModule } from './services.module.js';
export { ServicesService } from './services.service.js';
