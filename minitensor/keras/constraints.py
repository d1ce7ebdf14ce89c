"""stub"""
def get(identifier): return identifier
