export { PersonalData, type PersonalDataSource } from './personal-data.js';
export { PersonalDataModule } from './personal-data.module.js';
