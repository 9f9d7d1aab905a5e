export { ServiceEntity } from './service.entity.js';
export { ServicesModule } from './services.module.js';
