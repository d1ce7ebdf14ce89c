"""stub: objects.py is ready"""
