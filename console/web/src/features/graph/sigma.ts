// The graph library; loaded when the first picture is drawn.
import Graph from 'graphology'
import Sigma from 'sigma'

export { Graph, Sigma }
