import './style.css'
import { App } from './app.js'
import { keepForOffline } from './offline.js'

const app = new App(document.querySelector('main')!)
app.start()
void keepForOffline()
