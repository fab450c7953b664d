import HoldfastServer
import Testing
