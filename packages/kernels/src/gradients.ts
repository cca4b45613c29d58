// tfjs-core alone knows no gradient ("gradient function not found for Sum") and plain Node cannot import its file
// that registers them; the layers package registers all of them when it is imported.
import '@tensorflow/tfjs-layers'
