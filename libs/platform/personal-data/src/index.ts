export { PersonalDataModule } from './personal-data.module.js';
export { PersonalData, type PersonalDataHolder } from './personal-data.service.js';
